/** Sounds that everybody knows. */
export const everydaySounds = `
rain, wind, thunder, waves, a stream, fire crackling, footsteps, a door, a bell, a clock ticking,
an engine, a car passing, a motorcycle, a train, an airplane, a helicopter, a siren, a car horn, a
drill, a saw, a hammer, a vacuum cleaner, a washing machine, a keyboard, a telephone ringing, an
alarm, a camera shutter, glass breaking, water dripping, frying, a dog barking, a cat meowing, a
bird singing, a crow, a rooster, a hen, a cow, a sheep, a pig, a horse, a frog, insects, a wolf,
speech, whispering, laughter, a baby crying, a scream, a cough, a sneeze, snoring, singing, a
choir, applause, a crowd, a piano, a guitar, a violin, a flute, a trumpet, drums, an organ, a
synthesizer, fireworks, a gunshot, an explosion, silence, static noise`
  .split(/,\s*/)
  .map((word) => word.trim());

/** Things that everybody has seen. */
export const everydayThings = `
a cat, a dog, a horse, a cow, a sheep, a pig, a bird, a fish, a lion, a tiger, an elephant, a
bear, a monkey, a rabbit, a mouse, a snake, a frog, an insect, a butterfly, a spider, a man, a
woman, a child, a face, a crowd, an astronaut, a house, a church, a castle, a tower, a temple, a
lighthouse, a bridge, a street, a city, a village, a wall, bricks, a door, a window, a room, a
kitchen, a bed, a chair, a table, a lamp, a clock, a book, a page of text, a newspaper, a map, a
painting, a drawing, a computer, a telephone, a camera, a television, a car, a bus, a truck, a
bicycle, a motorcycle, a train, an airplane, a helicopter, a space rocket, a boat, a ship, a tree,
a forest, a flower, grass, leaves, a mountain, a beach, the sea, a river, a lake, snow, the sky,
clouds, a sunset, the moon, stars, fire, food, bread, a cake, fruit, an apple, a banana,
vegetables, a cup of coffee, a glass, a bottle, a plate, a shoe, a hat, a dress, a bag, a coin, a
key, a knife, a tool, a toy, a ball, a piano, a guitar, a drum, a flag, a sign, a diagram, a
pattern, an empty picture`
  .split(/,\s*/)
  .map((word) => word.trim());

/** "a dog" is "dog" in other words, whatever a model makes of it. */
export const withoutArticle = (label: string) =>
  label
    .trim()
    .toLowerCase()
    .replace(/^(an?|the) +/, "");
