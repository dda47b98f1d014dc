/**
 * Short sentences about things that can be seen or heard, for fitting a bridge between two models.
 */

const lists = {
  animals: `
    dog puppy cat kitten cow calf bull pig goat sheep lamb horse donkey rooster hen chick duck
    goose turkey pigeon crow owl parrot seagull sparrow woodpecker eagle hawk swan penguin
    flamingo emu ostrich peacock frog toad cricket grasshopper cicada bee wasp fly mosquito
    butterfly ant spider beetle dragonfly snake lizard crocodile turtle tortoise mouse rat
    squirrel hamster rabbit hedgehog fox wolf bear panda lion tiger leopard cheetah monkey
    gorilla chimpanzee elephant rhinoceros hippopotamus giraffe zebra camel llama deer elk moose
    buffalo kangaroo koala platypus beaver otter seal walrus dolphin whale shark octopus crab
    lobster starfish goldfish bat raccoon skunk badger boar hyena jackal meerkat sloth armadillo`,
  vehicles: `
    car truck bus van taxi ambulance fire-engine police-car motorcycle scooter bicycle tram
    train steam-train subway helicopter airplane jet rocket glider boat ship ferry sailboat
    canoe tractor bulldozer excavator race-car hot-air-balloon`,
  instruments: `
    piano organ guitar electric-guitar bass violin cello harp banjo mandolin ukulele accordion
    harmonica flute recorder clarinet oboe bassoon saxophone trumpet trombone tuba drum
    snare-drum cymbal gong xylophone tambourine bagpipe synthesizer bell triangle`,
  tools: `
    hammer saw chainsaw drill axe screwdriver wrench lawn-mower vacuum-cleaner washing-machine
    dishwasher hair-dryer blender kettle toaster microwave fan sewing-machine typewriter
    keyboard printer telephone phone camera radio television alarm-clock clock watch doorbell
    door drawer window lock key zipper scissors stapler knife fork spoon cup glass bottle plate
    pan candle lamp umbrella whistle siren fireworks cannon gun bow`,
  nature: `
    rain thunder lightning storm wind snow hail river stream waterfall sea ocean wave beach lake
    pond fire campfire volcano earthquake forest jungle desert mountain valley meadow garden
    tree leaf flower sunflower rose grass cloud sky sun moon star cave ice mud sand rock`,
  people: `
    baby child girl boy woman man crowd choir audience singer dancer speaker teacher cook farmer
    soldier runner swimmer skater clown doctor carpenter driver pilot drummer pianist`,
  places: `
    street market station airport harbour church temple school office kitchen bathroom
    restaurant library stadium playground farm factory workshop construction-site park zoo
    theatre concert-hall swimming-pool supermarket hospital village city`,
} as const;

const templates = {
  any: [
    "{}",
    "a {}",
    "the {}",
    "this is a {}",
    "a {} close by",
    "a {} in the distance",
    "two of them: {}",
    "an old {}",
    "a small {}",
    "a big {}",
    "a {} at night",
  ],
  animals: [
    "a {} calling",
    "a {} making noise",
    "a young {}",
    "a wild {}",
    "a {} on the ground",
    "a {} in the water",
  ],
  vehicles: ["a {} passing", "a {} starting its engine", "a {} on its way", "the inside of a {}"],
  instruments: ["someone plays a {}", "a {} solo", "music with a {}", "a {} on a stage"],
  tools: ["a {} in use", "a {} on a table", "someone uses a {}", "a broken {}"],
  nature: ["a landscape with {}", "heavy {}", "calm {}", "{} in the morning"],
  people: ["a {} talking", "a {} laughing", "a {} outdoors", "a happy {}", "a {} with others"],
  places: ["a busy {}", "an empty {}", "people in a {}", "inside a {}"],
} as const;

/** About 5,500 sentences, in a fixed order. */
export function bridgeTexts(): string[] {
  return Object.entries(lists).flatMap(([kind, words]) => {
    const forms = [...templates.any, ...templates[kind as keyof typeof lists]];
    return words
      .trim()
      .split(/\s+/)
      .flatMap((word) => forms.map((form) => form.replace("{}", word.replaceAll("-", " "))));
  });
}
