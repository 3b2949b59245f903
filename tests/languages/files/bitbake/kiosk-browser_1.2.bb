SUMMARY = "A browser for kiosks"
LICENSE = "MIT"
SRC_URI = "git://example.com/kiosk.git;branch=main"

inherit cmake systemd

# Installs the unit of the kiosk browser into the image.
do_install() {
    install -d ${D}${systemd_unitdir}/system
    install -m 0644 ${WORKDIR}/kiosk.service ${D}${systemd_unitdir}/system
}

python do_check_license() {
    if not d.getVar("LICENSE"):
        bb.fatal("no license")
}
