// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for amdgpu.ko: a card and a render node on QEMU's "VGA", /dev/kfd without a parent,
 * and a sound function whose driver keeps the module in use for as long as it is bound.
 *
 *   probe_seconds, remove_seconds   how long these take, in the kernel and unkillably
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>
#include <linux/version.h>

#include "../dispi.h"

static int probe_seconds, remove_seconds;
module_param(probe_seconds, int, 0644);
module_param(remove_seconds, int, 0644);

DEFINE_DRM_GEM_FOPS(files);

static const struct drm_driver drm = {
	.name = "amdgpu",
	.desc = "Stand-in for AMD's DRM driver",
	.driver_features = DRIVER_MODESET | DRIVER_ATOMIC | DRIVER_GEM | DRIVER_RENDER,
	.fops = &files,
	DISPI_DRIVER_OPS,
};

/*
 * As the real one's, a probe fails whose caller was killed meanwhile: it starts kernel threads
 * and loads firmware, and neither is done for a dying process (kernel: kthread_create_on_node).
 */
static int amdgpu_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct drm_device *device;
	int status = pci_enable_device(pci);

	if (status)
		return status;
	msleep(probe_seconds * MSEC_PER_SEC);
	device = fatal_signal_pending(current) ? ERR_PTR(-EINTR) : dispi_attach(&drm, pci);
	if (IS_ERR(device)) {
		pci_disable_device(pci);
		return PTR_ERR(device);
	}
	pci_set_drvdata(pci, device);
	return 0;
}

static void amdgpu_remove(struct pci_dev *pci)
{
	msleep(remove_seconds * MSEC_PER_SEC);
	dispi_detach(pci_get_drvdata(pci));
	pci_disable_device(pci);
}

/* No MODULE_DEVICE_TABLE: the lab's card is bochs-drm's unless a test wants otherwise. */
static const struct pci_device_id ids[] = { { PCI_DEVICE(DISPI_VENDOR, DISPI_DEVICE) }, {} };

static struct pci_driver driver = {
	.name = "amdgpu",
	.id_table = ids,
	.probe = amdgpu_probe,
	.remove = amdgpu_remove,
};

/* -- /dev/kfd: there as long as the module is, whatever cards it has */

static const struct file_operations kfd_files = { .owner = THIS_MODULE };
static struct class *kfd_class;
static int kfd_major;

static int kfd_add(void)
{
	struct device *node;

	kfd_major = register_chrdev(0, "kfd", &kfd_files);
	if (kfd_major < 0)
		return kfd_major;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	kfd_class = class_create("kfd");
#else
	kfd_class = class_create(THIS_MODULE, "kfd");
#endif
	if (IS_ERR(kfd_class)) {
		unregister_chrdev(kfd_major, "kfd");
		return PTR_ERR(kfd_class);
	}
	node = device_create(kfd_class, NULL, MKDEV(kfd_major, 0), NULL, "kfd");
	if (IS_ERR(node)) {
		class_destroy(kfd_class);
		unregister_chrdev(kfd_major, "kfd");
	}
	return PTR_ERR_OR_ZERO(node);
}

static void kfd_remove(void)
{
	device_destroy(kfd_class, MKDEV(kfd_major, 0));
	class_destroy(kfd_class);
	unregister_chrdev(kfd_major, "kfd");
}

/* -- the sound function, .1 of a card: its driver holds this module */

static bool is_our_sound(struct pci_dev *pci)
{
	struct pci_dev *card;
	bool ours;

	if (PCI_FUNC(pci->devfn) != 1)
		return false;
	card = pci_get_slot(pci->bus, PCI_DEVFN(PCI_SLOT(pci->devfn), 0));
	ours = card && pci_match_id(ids, card);
	pci_dev_put(card);
	return ours;
}

static struct device *sound;

/* For each device, and its unbinding comes before its driver's remove(). */
static int hold_for_sound(struct device *device, void *unused)
{
	if (!sound && device->driver && sysfs_streq(device->driver->name, "snd_hda_intel") &&
	    is_our_sound(to_pci_dev(device))) {
		__module_get(THIS_MODULE);
		sound = device;
	}
	return 0;
}

static int on_bus(struct notifier_block *block, unsigned long action, void *device)
{
	if (action == BUS_NOTIFY_BOUND_DRIVER)
		hold_for_sound(device, NULL);
	if (action == BUS_NOTIFY_UNBIND_DRIVER && device == sound) {
		sound = NULL;
		module_put(THIS_MODULE);
	}
	return NOTIFY_DONE;
}

static struct notifier_block bus_block = { .notifier_call = on_bus };

static int __init amdgpu_init(void)
{
	int status = kfd_add();

	if (status)
		return status;
	status = pci_register_driver(&driver);
	if (status) {
		kfd_remove();
		return status;
	}
	bus_register_notifier(&pci_bus_type, &bus_block);
	bus_for_each_dev(&pci_bus_type, NULL, NULL, hold_for_sound);
	return 0;
}

static void __exit amdgpu_exit(void)
{
	pci_unregister_driver(&driver);
	bus_unregister_notifier(&pci_bus_type, &bus_block);
	kfd_remove();
}

module_init(amdgpu_init);
module_exit(amdgpu_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for AMD's amdgpu.ko, to test vfiod");
