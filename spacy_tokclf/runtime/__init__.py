"""What the machine gives: devices, threads, memory, the libraries that multiply; arrays to tensors and back."""
