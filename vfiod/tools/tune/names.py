"""What --only and --without of ``vfiod tune`` call each kind of change."""

NAMES = (
    "cpu", "topology", "pinning", "clock", "hyperv", "hidden", "balloon", "hugepages", "iothreads",
)  # fmt: skip
