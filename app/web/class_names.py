"""The class names of well-known data sets, to be offered for a model with as many outputs."""

from ..datasets.imagenet import CLASSES as IMAGENET

_FASHION = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle_boot"
_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"
_CIFAR100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard "
    "lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark "
    "shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
_LETTERS = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"
_DIGITS = "0 1 2 3 4 5 6 7 8 9"

# By data set, in the order of its outputs. Sources: Xiao, Rasul and Vollgraf, 2017 (Fashion-MNIST); Krizhevsky, 2009
# (CIFAR); Cohen, Afshar, Tapson and van Schaik, 2017 (EMNIST: letters, balanced and by class).
CLASS_NAMES: dict[str, list[str]] = {
    name: [each.replace("_", " ") for each in names.split()]
    for name, names in {
        "digits": _DIGITS,
        "Fashion-MNIST": _FASHION,
        "CIFAR-10": _CIFAR10,
        "CIFAR-100": _CIFAR100,
        "EMNIST letters": _LETTERS,
        "EMNIST balanced": f"{_DIGITS} {_LETTERS} a b d e f g h n q r t",
        "EMNIST by class": f"{_DIGITS} {_LETTERS} {_LETTERS.lower()}",
    }.items()
} | {"ImageNet": IMAGENET, "ImageNet after a background class": ["background", *IMAGENET]}


def fitting_names(count: int) -> dict[str, list[str]]:
    """Return the names of the data sets with so many classes."""
    return {name: classes for name, classes in CLASS_NAMES.items() if len(classes) == count}
