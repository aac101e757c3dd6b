# Completion of vfiod in fish: asks vfiod itself, through argcomplete.
if command -q register-python-argcomplete
    register-python-argcomplete --shell fish vfiod | source
end
