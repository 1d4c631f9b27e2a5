"""What `make fuzz` is made of: a kind of input a module, with `judge(rng, folder)`, which draws one input and judges
it. It gives what became of the input ("read", a code, ...); whatever it raises is a finding."""
