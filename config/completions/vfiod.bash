# Completion of vfiod in bash: asks vfiod itself, through argcomplete.
if command -v register-python-argcomplete >/dev/null; then
    eval "$(register-python-argcomplete vfiod)"
fi
