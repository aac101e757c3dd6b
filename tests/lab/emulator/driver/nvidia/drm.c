// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for nvidia-drm.ko: a DRM device on each card that nvidia has. Whoever has it open,
 * the framebuffer console too, has the card in use.
 */
#include "nvidia.h"

#include <linux/module.h>

#include "../dispi.h"

static struct nvidia_gpu *gpu_of(struct drm_device *device)
{
	return pci_get_drvdata(to_pci_dev(device->dev));
}

static int drm_open_card(struct drm_device *device, struct drm_file *file)
{
	nvkms_get(gpu_of(device));
	return 0;
}

static void drm_close_card(struct drm_device *device, struct drm_file *file)
{
	nvkms_put(gpu_of(device));
}

DEFINE_DRM_GEM_FOPS(files);

static const struct drm_driver driver = {
	.name = "nvidia-drm",
	.desc = "Stand-in for NVIDIA's DRM driver",
	.driver_features = DRIVER_MODESET | DRIVER_ATOMIC | DRIVER_GEM,
	.open = drm_open_card,
	.postclose = drm_close_card,
	.fops = &files,
	DISPI_DRIVER_OPS,
};

static void card_probe(struct nvidia_gpu *gpu)
{
	struct drm_device *device = dispi_attach(&driver, gpu->pci);

	if (IS_ERR(device))
		pci_err(gpu->pci, "no display: %ld\n", PTR_ERR(device));
	else
		gpu->client_data = device;
}

static void card_remove(struct nvidia_gpu *gpu)
{
	if (gpu->client_data)
		dispi_detach(gpu->client_data);
	gpu->client_data = NULL;
}

static const struct nvidia_client client = { .probe = card_probe, .remove = card_remove };

static int __init drm_init(void)
{
	nvkms_register_client(&client);
	return 0;
}

static void __exit drm_exit(void)
{
	nvkms_unregister_client();
}

module_init(drm_init);
module_exit(drm_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for NVIDIA's nvidia-drm.ko, to test vfiod");
