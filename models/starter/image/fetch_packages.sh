#!/usr/bin/env bash
# Drawings that the picture tower sees, unpacked into DIR: openclipart/ (Debian), fluent/ and noto/ (npm).   models/starter/image/fetch_packages.sh DIR
# Needs apt-get with Debian's index (apt-get update), dpkg-deb and npm.
set -euo pipefail
mkdir -p "$1" && cd "$1"
apt-get download openclipart-png
dpkg-deb -x openclipart-png_*.deb unpacked
mv unpacked/usr/share/openclipart openclipart
rm -r unpacked openclipart-png_*.deb
npm pack --silent @lobehub/fluent-emoji-3d@1.1.0 emoji-datasource-google@16.0.0
mkdir -p fluent noto
tar -xzf lobehub-fluent-emoji-3d-1.1.0.tgz -C fluent --strip-components 1
tar -xzf emoji-datasource-google-16.0.0.tgz -C noto --strip-components 1 package/img/google/64
rm ./*.tgz
