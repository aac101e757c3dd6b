"""The lab: an emulated PC with an IOMMU and a GPU, to hand over for real without hardware."""
