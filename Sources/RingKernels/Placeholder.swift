import RingCore
