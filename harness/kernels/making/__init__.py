"""Building the virtual-time kernel, and where built ones are kept."""
