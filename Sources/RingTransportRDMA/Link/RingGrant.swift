import RingCore

/// Where a ring is that the peer may write to. `Docs/WireProtocol.md` has the layout.
struct RingGrant: Hashable, Sendable {
    /// The ring's first byte, by the address space of its owner.
    var address: UInt64
    /// What allows to write there.
    var key: UInt32
    var shape: RingShape

    static let byteCount = 20

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(address)
        writer.integer(key)
        writer.integer(UInt32(shape.slotSize))
        writer.integer(UInt32(shape.slotCount))
        return writer.bytes
    }

    init(address: UInt64, key: UInt32, shape: RingShape) {
        self.address = address
        self.key = key
        self.shape = shape
    }

    /// Reads ``bytes``.
    init(_ reader: inout ByteReader) throws(WireError) {
        address = try reader.integer(UInt64.self)
        key = try reader.integer(UInt32.self)
        shape = RingShape(
            slotSize: Int(try reader.integer(UInt32.self)), slotCount: Int(try reader.integer(UInt32.self)))
    }
}
