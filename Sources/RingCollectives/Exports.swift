// Whoever imports RingCollectives has the vocabulary and the stores as well.
@_exported public import RingBootstrap
@_exported public import RingCore
