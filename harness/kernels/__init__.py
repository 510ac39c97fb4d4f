"""Where the tests execute: on the machine's own kernel, or inside an embedded one."""
