#!/usr/bin/env bash
# Debian packages whose sounds the student hears, unpacked into DIR.   models/starter/audio/fetch_packages.sh DIR
# Their licences (GPL, CC BY-SA, CC0 and others) are in each package's usr/share/doc/*/copyright; nothing of them is shipped.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
mkdir -p "$1" && cd "$1"
for name in 0ad-data bzflag-data colobot-common-sounds extremetuxracer-data fillets-ng-data flare-game freedink-data freedroidrpg-data \
    gcompris-qt-data hedgewars-data hydrogen-drumkits klettres-data lincity-ng-data lugaru-data megaglest-data naev-data pingus-data \
    sound-theme-freedesktop supertux-data supertuxkart-data torcs-data unknown-horizons warzone2100-data wesnoth-1.16-data widelands-data; do
  apt-get download "$name"
  dpkg-deb -x "$name"_*.deb "$name"
  rm "$name"_*.deb
done
(cd 0ad-data && unzip -qo usr/share/games/0ad/mods/public/public.zip 'audio/*' -x 'audio/music/*' -d unpacked)
(cd warzone2100-data && unzip -qo usr/share/games/warzone2100/base.wz '*.ogg' -d unpacked)
for part in explore_farm_animals explore_world_music instruments memory-sound; do
  python3 "$here/unpack_rcc.py" gcompris-qt-data/usr/share/gcompris-qt/rcc/$part.rcc gcompris-qt-data/unpacked/$part
done
