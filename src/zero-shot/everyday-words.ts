/**
 * Words for what is seen and heard every day, 800 things and 300 sounds; the regions of a map are
 * named after the nearest. Written for this project and licensed as it is (Apache-2.0).
 */
const things = `
  person, man, woman, child, baby, boy, girl, face, hand, eye, mouth, hair, beard, smile, crowd,
  couple, family, bride, wedding, portrait, dancer, singer, musician, athlete, football player,
  soldier, police officer, firefighter, doctor, nurse, cook, waiter, farmer, worker, teacher,
  student, astronaut, diver, climber, cyclist, skier, surfer, rider, sailor, pilot, king, monk,
  clown, statue, mask, skeleton, skull, robot, doll, mannequin, angel, dragon, cartoon character,
  dog, puppy, cat, kitten, horse, pony, donkey, zebra, cow, bull, calf, sheep, lamb, goat, pig,
  rabbit, hamster, mouse, rat, squirrel, hedgehog, fox, wolf, bear, polar bear, panda, koala,
  kangaroo, deer, moose, bison, camel, llama, giraffe, elephant, rhinoceros, hippopotamus, lion,
  tiger, leopard, cougar, monkey, gorilla, chimpanzee, sloth, otter, beaver, badger, raccoon,
  skunk, bat, seal, walrus, whale, dolphin, platypus, bird, chicken, rooster, chick, duck, goose,
  swan, turkey, pigeon, crow, gull, owl, eagle, hawk, vulture, parrot, peacock, ostrich, emu,
  flamingo, stork, heron, ibis, pelican, penguin, hummingbird, woodpecker, sparrow, feather,
  nest, egg, snake, lizard, chameleon, crocodile, turtle, frog, toad, salamander, fish, goldfish,
  shark, ray, eel, seahorse, octopus, squid, jellyfish, starfish, crab, lobster, crayfish,
  shrimp, shell, coral, snail, slug, worm, insect, butterfly, moth, caterpillar, bee, wasp, ant,
  beetle, ladybird, fly, mosquito, dragonfly, grasshopper, spider, scorpion, tick, dinosaur,
  fossil, tree, palm tree, pine, oak, bonsai, bamboo, cactus, fern, moss, grass, leaf, autumn
  leaves, branch, tree trunk, bush, hedge, flower, rose, tulip, sunflower, daisy, orchid, lily,
  lotus, water lily, dandelion, lavender, cherry blossom, bouquet, mushroom, seed, acorn, pine
  cone, apple, pear, banana, orange, lemon, grapes, cherry, strawberry, raspberry, blueberry,
  peach, plum, melon, watermelon, pineapple, mango, kiwi, coconut, pomegranate, fig, avocado,
  tomato, cucumber, pepper, chilli, carrot, potato, onion, garlic, cabbage, lettuce, broccoli,
  cauliflower, spinach, pumpkin, corn, peas, beans, mushroom soup, rice, wheat, bread, sandwich,
  hamburger, pizza, pasta, noodles, sushi, salad, soup, steak, sausage, bacon, roast chicken,
  seafood, fried egg, cheese, butter, pancake, waffle, croissant, doughnut, cake, birthday cake,
  pie, biscuit, chocolate, sweets, ice cream, honey, jam, nuts, spices, breakfast, picnic,
  barbecue, cup of coffee, cup of tea, glass of water, juice, milk, beer, wine, cocktail, bottle,
  can, glass, mug, teapot, plate, bowl, spoon, fork, knife, pan, pot, kettle, oven, stove,
  refrigerator, microwave, toaster, dishwasher, sink, tap, kitchen, dining table, table, desk,
  chair, armchair, rocking chair, wheelchair, stool, bench, sofa, bed, cot, pillow, blanket,
  curtain, carpet, shelf, bookcase, cupboard, drawer, wardrobe, mirror, lamp, chandelier, candle,
  lantern, light bulb, clock, wristwatch, hourglass, vase, flowerpot, basket, bucket, barrel,
  box, bin, suitcase, bag, backpack, handbag, wallet, coin, banknote, key, lock, chain, rope,
  door, window, stairs, escalator, lift, corridor, room, living room, bedroom, bathroom, bathtub,
  shower, toilet, towel, soap, toothbrush, comb, scissors, stapler, needle, thread, button, zip,
  fabric, lace, wool, shirt, trousers, skirt, dress, coat, jacket, suit, tie, uniform, hat, cap,
  helmet, crown, glasses, sunglasses, glove, sock, shoe, boot, sandal, high heels, belt,
  umbrella, scarf, jewellery, ring, necklace, earring, diamond, book, newspaper, magazine, page
  of text, handwriting, letter, envelope, stamp, notebook, pencil, pen, paintbrush, painting,
  drawing, sketch, comic, poster, map, globe, chart, diagram, logo, sign, traffic sign, number,
  barcode, playing card, chessboard, dice, puzzle, toy, toy car, teddy bear, balloon, kite, ball,
  football, basketball, tennis racket, baseball glove, golf course, swimming pool, stadium, gym,
  playground, swing, slide, carousel, ferris wheel, circus, fireworks, stage, concert, cinema,
  museum, library, school, classroom, office, meeting, shop, supermarket, market, restaurant,
  bar, hospital, laboratory, microscope, telescope, binoculars, medicine, syringe, stethoscope,
  computer, laptop, keyboard, computer mouse, screen, television, radio, loudspeaker, headphones,
  microphone, telephone, mobile phone, camera, film, printer, calculator, circuit board, cable,
  battery, plug, fan, vacuum cleaner, washing machine, iron, sewing machine, hammer, saw, drill,
  screwdriver, spanner, screw, nail, axe, shovel, rake, wheelbarrow, ladder, paint, anchor,
  compass, gun, cannon, sword, shield, armour, bow and arrow, tank, bomb, piano, grand piano,
  guitar, electric guitar, violin, cello, harp, mandolin, flute, clarinet, saxophone, trumpet,
  euphonium, accordion, drum, drum kit, metronome, gramophone, sheet music, car, sports car, old
  car, taxi, van, bus, truck, fire engine, ambulance, police car, tractor, digger, motorcycle,
  scooter, bicycle, skateboard, pram, tram, train, steam locomotive, underground, railway,
  station, airport, aeroplane, jet fighter, propeller plane, helicopter, airship, hot air
  balloon, parachute, rocket, space shuttle, satellite, boat, rowing boat, canoe, sailing boat,
  schooner, ferry, ship, cruise ship, submarine, wheel, tyre, engine, petrol station, road,
  motorway, street, crossing, traffic jam, traffic light, car park, tunnel, bridge, pavement,
  fence, gate, wall, brick wall, roof, chimney, balcony, column, arch, house, cottage, farmhouse,
  barn, hut, tent, block of flats, skyscraper, city, skyline, village, town square, park, garden,
  greenhouse, fountain, pool, pond, well, windmill, lighthouse, water tower, castle, palace,
  fort, ruins, temple, pagoda, church, cathedral, mosque, minaret, synagogue, pyramid, monument,
  tomb, cemetery, cross, stained glass, altar, factory, power station, wind turbine, solar panel,
  crane, building site, mine, oil rig, warehouse, harbour, pier, dam, canal, river, stream,
  waterfall, lake, sea, wave, beach, sand, island, cliff, cave, mountain, snowy peak, glacier,
  iceberg, volcano, lava, hill, valley, canyon, desert, dune, field, wheat field, meadow,
  vineyard, orchard, forest, jungle, swamp, path, rock, stone, crystal, sky, cloud, storm clouds,
  lightning, rain, rainbow, snow, frost, ice, fog, sunrise, sunset, sun, moon, stars, galaxy,
  planet, earth from space, northern lights, night, fire, flame, campfire, smoke, explosion,
  water drop, bubble, reflection, shadow, silhouette, blur, pattern, texture, stripes, dots,
  spiral, circle, triangle, square, colourful abstract, black and white photograph, dark picture,
  white background, close-up, aerial view, x-ray, cell, flag, heart, star shape, arrow, yin yang,
  stop sign, snowman, Christmas tree, gift, Halloween pumpkin, mandala, tattoo, graffiti, mosaic,
  sculpture, pottery, origami, dreamcatcher, model, inline skate, ice skate, skis, snowboard,
  surfboard, fishing rod, hammock, trophy, medal, pretzel`;

const sounds = `
  speech, man speaking, woman speaking, child speaking, whispering, shouting, screaming,
  laughter, giggling, crying, baby crying, sobbing, sighing, breathing, panting, snoring,
  yawning, coughing, sneezing, sniffing, hiccup, burp, chewing, drinking, gargling, kissing,
  whistling, humming, singing, choir, rap, chanting, crowd, cheering, booing, applause, clapping,
  finger snapping, footsteps, running, heartbeat, conversation, announcement, countdown, children
  playing, dog, dog barking, dog growling, dog howling, cat, meowing, purring, hissing cat,
  horse, neighing, hooves, cow, mooing, sheep, bleating, goat, pig, grunting, donkey, rooster,
  hen, chicks, duck, quacking, goose, turkey, pigeon, cooing, crow, cawing, owl, hooting, eagle,
  gull, songbird, birdsong, woodpecker, parrot, cuckoo, peacock, wings flapping, lion roaring,
  wolf, bear, elephant, monkey, seal, whale song, dolphin, frog, crickets, cicadas, bees buzzing,
  mosquito, fly, mouse squeaking, snake, bat, rain, rain on a roof, drizzle, thunderstorm,
  thunder, wind, gale, wind in trees, hail, waves, sea, river, stream, waterfall, dripping water,
  splash, bubbles, boiling, pouring, fountain, fire crackling, earthquake, rustling leaves,
  branch breaking, forest, jungle at night, car, car passing, car starting, engine idling, engine
  revving, truck, bus, motorcycle, tractor, car horn, brakes, tyres skidding, car crash, traffic,
  police siren, ambulance, fire engine, reversing beep, bicycle bell, train, steam locomotive,
  train whistle, underground train, tram, aeroplane, jet engine, propeller, helicopter, rocket,
  ship's horn, motorboat, rowing, door, door creaking, door slamming, doorbell, knocking, key in
  a lock, drawer, window, dishes, cutlery, frying, kettle, microwave, blender, coffee machine,
  refrigerator, washing machine, vacuum cleaner, hair dryer, razor, toothbrush, toilet flushing,
  tap, shower, sweeping, clock ticking, alarm clock, cuckoo clock, telephone ringing, dial tone,
  typing, mouse click, printer, camera shutter, cash register, coins, paper rustling, tearing
  paper, zip, writing, scissors, lighter, match, hammer, saw, drill, sanding, chainsaw, lawn
  mower, leaf blower, jackhammer, axe, pump, generator, fan, factory, building site, sewing
  machine, gears, squeak, rattle, metal clanging, breaking glass, explosion, gunshot, machine
  gun, fireworks, whip, sword, ball bouncing, swimming pool, restaurant, market, station,
  stadium, street, church bells, silence, white noise, hiss, hum, static, click, pop, beep, tone,
  sweep, buzz, rumble, whoosh, thud, bang, echo, feedback, robot voice, modem, morse code, sonar,
  video game, music, orchestra, string quartet, opera, jazz, blues, rock, heavy metal, pop music,
  hip hop, reggae, country music, folk music, techno, ambient music, film music, lullaby, drum
  beat, bass line, piano, organ, harpsichord, accordion, harmonica, acoustic guitar, electric
  guitar, bass guitar, banjo, harp, violin, cello, double bass, flute, clarinet, saxophone,
  trumpet, trombone, tuba, bagpipes, synthesizer, sitar, drums, cymbals, gong, tambourine,
  xylophone, wind chimes, music box, singing bowl, triangle`;

const wordsOf = (list: string) => list.split(",").map((word) => word.trim().replace(/\s+/g, " "));

export const everydayThings: readonly string[] = wordsOf(things);
export const everydaySounds: readonly string[] = wordsOf(sounds);
