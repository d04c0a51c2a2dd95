"""Plain words for `random:word`."""

from __future__ import annotations

from typing import Final

WORDS: Final = tuple(
    """
    acorn air alder amber anchor ant apple apron arch arm arrow ash aspen attic autumn axle
    badge bag baker balcony ball banjo bank barn basin basket bath bay beach beacon bead beam
    bean bear beaver bed bee beech bell belt bench berry birch bird biscuit blanket blossom blue
    boat bone book boot bottle bow bowl box branch brass bread breeze brick bridge brook broom
    brother brown brush bucket bud bulb bun bush butter button cabin cable cactus cake camel camp
    canal candle canoe canvas cap cape card carrot cart castle cat cave cedar cellar chain chair
    chalk cheese cherry chest chimney circle city clay cliff clock cloud clover coal coast coat cob
    coin comb compass copper coral cork corn corner cotton cousin cove cradle crane crayon cream
    creek crow crown cup curtain cushion daisy dawn deer desk dew dish dock dog door dove dragon
    drawer dream drum duck dune dust eagle ear earth echo edge egg elbow elk elm ember engine
    evening eye fabric face falcon farm feather fence fern ferry field fig finch finger fir fire
    fish flag flame flask flint floor flour flower flute fog foot forest fork fountain fox frame
    frog frost fruit garden garlic gate ghost ginger glass globe glove goat gold goose grain grape
    grass gravel green grove guitar gull hail hall hammer hand harbor hare harp harvest hat hawk
    hay hazel heart hedge hen herb heron hill hinge honey hood hook hoop horn horse house ice inch
    ink iris iron island ivory ivy jacket jar jewel jug juice juniper kettle key king kite kitten
    knee knot ladder lake lamp lantern larch lark laurel lawn leaf leather lemon lentil letter lid
    light lilac lily lime linen lion lizard loaf lobster lock log loom lunch lute lynx magnet maple
    marble market marsh mask mast meadow melon mill mint mirror mist mitten moon morning moss moth
    mountain mouse mouth mud mug mule museum nail napkin neck needle nest net night noon north nose
    notebook nut oak oar oat ocean olive onion orange orchard otter oven owl oxen oyster paddle page
    paint palm pan paper parade park parrot path peach pear pearl pebble pen pepper petal piano
    picnic pigeon pillow pilot pine pipe plain plank plate plum pocket poem pond pony poppy porch
    potato pouch prairie puddle pumpkin puppet quail quartz queen quill quilt rabbit radish raft
    rail rain raven reed reef ribbon rice ridge ring river road robin rock roof root rope rose ruby
    rug sack saddle sail salad salmon salt sand saucer scarf school sea seed shade shadow sheep
    shelf shell ship shirt shoe shore silk silver sister sky sled smoke snail snow soap sock sofa
    soil song soup south spade spark sparrow spice spider spoon spring spruce square squirrel stable
    stage stair star station steam stem stone stool storm stove straw stream street string sugar
    summer sun swallow swan table tail tape tea tent thimble thistle thread thumb thunder tide tiger
    tile toast tomato tooth torch towel tower town toy trail train tray treasure tree trout trumpet
    trunk tulip tunnel turnip turtle umbrella valley vase veil velvet village vine violet violin
    wagon walnut water wave wax well west whale wheat wheel whistle willow wind window wing winter
    wolf wood wool wren yard yarn year yellow zebra zinc
    """.split()  # noqa: SIM905 - words read better than a list of them
)
