/**
 * Names of things and sounds of every kind, added to the labels of a request to find out whether
 * something else fits an input better. It does no harm if some of them are labels: all labels
 * together are compared with all of these. More of them change little
 * (docs/decisions/0094-none-of-these.md).
 */
export const neutralTexts = { image: listOf(pictures()), audio: listOf(sounds()) };

/** Names are separated by commas and line ends. */
function listOf(text: string): readonly string[] {
  return text
    .split(/,\s*/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function pictures(): string {
  return `
  dog, horse, sheep, goat, camel, giraffe, lion, leopard, wolf, deer, rabbit, mouse, hedgehog,
  monkey, kangaroo, panda, seal, dolphin, salmon, octopus, crab, shrimp, worm, scorpion, bee,
  fly, butterfly, beetle, grasshopper, frog, lizard, snake, dinosaur, rooster, goose, turkey,
  crow, hawk, parrot, penguin, flamingo, gull, tree, palm tree, bush, moss, cactus, leaf, root,
  rose, daisy, orchid, mushroom, hay, rice paddy, orchard, lawn, forest, meadow, pear, orange,
  cherry, grapes, pineapple, mango, tomato, carrot, garlic, lettuce, pepper, corn, rice, cake,
  pie, pizza, sandwich, french fries, soup, steak, bacon, cheese, milk, chocolate, honey,
  sushi, coffee, beer, juice, table, armchair, bed, shelf, drawer, candle, clock, curtain,
  blanket, broom, vacuum cleaner, refrigerator, oven, toaster, frying pan, plate, cup, bottle,
  tin can, knife, chopsticks, toilet, shower, soap, comb, scissors, perfume, umbrella,
  backpack, wallet, padlock, basket, bag, hammer, wrench, saw, axe, rake, ladder, chain, screw,
  gear, wire, hose, wheelbarrow, chainsaw, vise, paintbrush, sewing machine, plough, excavator,
  forklift, factory machine, engine, generator, solar panel, switch, cable, antenna, laptop,
  computer mouse, printer, telephone, tablet, radio, projector, headphones, remote control,
  typewriter, drone, telescope, binoculars, stethoscope, pill, wheelchair, x-ray, scale, globe,
  hourglass, taxi, truck, ambulance, police car, scooter, tram, locomotive, airplane,
  hot air balloon, parachute, sailing boat, canoe, submarine, buoy, tyre, traffic light,
  parking lot, railway track, harbour, apartment building, castle, church, temple, lighthouse,
  barn, tent, tower, dam, stairs, gate, roof, balcony, brick wall, floor tiles, arch, statue,
  gravestone, street, crossroads, shop, hotel, hospital, museum, stadium, swimming pool,
  kitchen, bedroom, corridor, factory, construction site, mountain, valley, cliff, volcano,
  dune, island, wave, river, swamp, iceberg, ice, rain, cloud, lightning, sunset, stars, sun,
  galaxy, smoke, mud, gravel, soil, drop of water, woman, baby, face, foot, ear, hair,
  skeleton, doctor, soldier, firefighter, fisherman, waiter, student, dancer, musician, queen,
  clown, funeral, demonstration, portrait, shirt, dress, coat, sweater, tie, hat, cap, sock,
  boot, belt, zipper, watch, necklace, crown, costume, swimsuit, fabric, leather, ball,
  basketball, tennis racket, bowling pin, skis, ice skates, fishing rod, dumbbell, medal,
  playing cards, puzzle, teddy bear, kite, swing, merry-go-round, fireworks, christmas tree,
  organ, violin, harp, clarinet, trumpet, tuba, cymbals, accordion, sheet music, gramophone,
  dagger, shield, cannon, rifle, bomb, fighter jet, flag, banknote, stamp, diamond, book,
  magazine, handwriting, postcard, diagram, graph, spreadsheet, receipt, ticket, calendar,
  advertisement, barcode, icon, number, question mark, mathematical formula, web page,
  error message, blueprint, watercolour, pencil drawing, cartoon, clip art, engraving, mosaic,
  graffiti, pottery, origami, ornament, frame, dots, spiral, square, heart, cross, gradient,
  blank page, noise, shadow, silhouette of a city, satellite image, microscope image,
  thermal image, metal, wood grain, concrete, plaster, cardboard, foil, wool, wax, paint,
  bubbles, steam, scrap, pile of things, abstract shape, bright light, stain, angel, dragon,
  ghost, fairy, alien, superhero, wizard, snowman, pirate, ninja`;
}

function sounds(): string {
  return `
  speech, a man speaking, a woman speaking, a child speaking, a conversation, a crowd talking,
  a lecture, a news reader, a telephone conversation, a sports commentator, whispering,
  shouting, screaming, laughing, giggling, crying, sobbing, a baby crying, a baby babbling,
  sighing, yawning, coughing, sneezing, hiccups, snoring, breathing, panting, gargling,
  burping, chewing, swallowing, kissing, whistling, humming, singing, a choir singing,
  a child singing, rapping, beatboxing, yodelling, chanting, prayer, applause, cheering,
  booing, finger snapping, clapping, footsteps, running, jumping, heartbeat,
  a stomach rumbling, music, classical music, an orchestra, a string quartet, chamber music,
  opera, a symphony, jazz, blues, rock music, heavy metal, punk, pop music, hip hop, reggae,
  country music, folk music, electronic music, techno, house music, ambient music, drone music,
  film music, video game music, a lullaby, a march, a waltz, a hymn, a jingle,
  background music, a melody, a chord, a scale, a drum beat, a drum roll, a bass line, a piano,
  an electric piano, an organ, a harpsichord, an accordion, a harmonica, an acoustic guitar,
  an electric guitar, a distorted guitar, a bass guitar, a banjo, a ukulele, a harp, a violin,
  a cello, a double bass, a flute, a recorder, a clarinet, an oboe, a bassoon, a saxophone,
  a trumpet, a trombone, a french horn, a tuba, bagpipes, a didgeridoo, a synthesizer,
  a theremin, a sitar, a snare drum, a bass drum, a hi-hat, cymbals, a gong, a tambourine,
  maracas, bongos, a timpani, a xylophone, a marimba, a glockenspiel, a triangle, wind chimes,
  a music box, church bells, a singing bowl, a dog barking, a dog growling, a dog whining,
  a cat meowing, a cat purring, a cat hissing, a horse neighing, hooves, a cow mooing, a calf,
  a sheep bleating, a goat, a pig grunting, a donkey braying, a rooster crowing,
  a hen clucking, chicks, a duck quacking, a goose honking, a turkey gobbling, a pigeon cooing,
  a crow cawing, an owl hooting, an eagle, a gull, a songbird, birds singing, a woodpecker,
  a parrot, a cuckoo, a peacock, wings flapping, a lion roaring, a tiger, a wolf howling,
  a bear, an elephant, a monkey, a gorilla, a seal, a whale singing, a dolphin,
  a frog croaking, a toad, crickets, cicadas, a grasshopper, bees buzzing, a mosquito, a fly,
  a mouse squeaking, a snake hissing, a bat, rain, rain on a roof, drizzle, a thunderstorm,
  thunder, wind, a gale, wind in the trees, hail, snow, waves on a beach, the sea, a river,
  a stream, a waterfall, dripping water, a splash, bubbles, boiling, pouring, a fountain, fire,
  crackling, an earthquake, an avalanche, falling rocks, rustling leaves, a branch breaking,
  mud, a forest, a jungle at night, a meadow, a cave, a car, a car passing, a car starting,
  an engine idling, an engine revving, a diesel engine, a truck, a bus, a motorcycle,
  a tractor, a car horn, brakes squealing, tyres skidding, a car crash, traffic,
  a police siren, an ambulance, a fire engine, a reversing beep, a bicycle bell, a skateboard,
  a train, a steam locomotive, a train whistle, a level crossing, a subway, a tram,
  an aeroplane, a jet engine, a propeller, a helicopter, a rocket, a ship's horn, a motorboat,
  a rowing boat, sails, a door closing, a door creaking, a door slamming, a doorbell, knocking,
  a key in a lock, a drawer, a window, stairs, a lift, a chair scraping, dishes, cutlery,
  a frying pan, a kettle whistling, a microwave, a toaster, a blender, a food processor,
  a coffee machine, a refrigerator humming, a dishwasher, a washing machine, a vacuum cleaner,
  a hair dryer, an electric razor, a toothbrush, a toilet flushing, a tap, a shower, a bathtub,
  a sink draining, sweeping, scrubbing, a clock ticking, an alarm clock, a cuckoo clock,
  a telephone ringing, a ringtone, a dial tone, a busy signal, typing, a mouse click,
  a printer, a camera shutter, a cash register, coins, paper rustling, tearing paper,
  crumpling, cardboard, plastic, a zipper, velcro, writing, scissors, a spray can, a lighter,
  a match, a hammer, a saw, a drill, sanding, filing, a chainsaw, a lawn mower, a leaf blower,
  a jackhammer, an axe chopping wood, a pump, a compressor, a generator, a turbine, a fan,
  an air conditioner, a conveyor belt, a factory, a construction site, a crane,
  a sewing machine, a loom, a printing press, gears, a ratchet, a spring, a chain, a squeak,
  a rattle, metal clanging, breaking glass, falling objects, an explosion, a gunshot,
  a machine gun, an artillery shell, fireworks, a whip, an arrow, a sword, a punch,
  a bowling alley, a ball bouncing, a tennis match, a swimming pool, a playground,
  a restaurant, a market, a station hall, an airport, a stadium, an office, a street, a church,
  a library, silence, room tone, white noise, pink noise, brown noise, hiss, hum, mains hum,
  static, radio interference, a recording fault, clipping, a click, a pop, a crackle, a beep,
  a tone, a sine wave, a sweep, a chirp, a pulse, a buzz, a drone, a rumble, a whoosh, a swish,
  a thud, a thump, a bang, a clatter, a jingle of keys, an echo, reverberation, feedback,
  a glitch, a laser, a sound effect, a robot voice, a modem, morse code, sonar, a countdown,
  a game sound, a notification, an error sound, a power up, a coin collected, a menu click,
  something unrecognisable, several sounds at once, a sudden noise, a quiet noise,
  a distant noise, a muffled sound`;
}
