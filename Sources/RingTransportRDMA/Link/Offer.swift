/// Bytes of the sender's memory that are next in its stream: the receiver fetches them. `Docs/WireProtocol.md` has the
/// layout.
struct Offer: Hashable, Sendable {
    /// The first byte, by the address space of its owner.
    var address: UInt64
    /// What allows to read there.
    var key: UInt32
    var byteCount: Int

    static let encodedByteCount = 16
    /// The most bytes that one stands for.
    static let mostBytes = 1 << 30

    init(address: UInt64, key: UInt32, byteCount: Int) {
        self.address = address
        self.key = key
        self.byteCount = byteCount
    }

    /// Writes it, little-endian, to as many bytes as it takes.
    func encode(to place: UnsafeMutableRawBufferPointer) {
        place.storeBytes(of: address.littleEndian, as: UInt64.self)
        place.storeBytes(of: key.littleEndian, toByteOffset: 8, as: UInt32.self)
        place.storeBytes(of: UInt32(byteCount).littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// Reads it; nil if it stands for no bytes, or too many.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        address = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        key = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        byteCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        guard byteCount > 0, byteCount <= Self.mostBytes else { return nil }
    }
}
