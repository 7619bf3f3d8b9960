/// The headers of frames that are alike but for their numbers, as they are on the wire: to be copied and compared, where
/// otherwise each would be put together and taken apart.
public final class RepeatedHeader {
    // An object, so that it is not copied to be looked at. What is inlinable is compiled where it is used, which the
    // compiler does with what is public alone; no product has this module.

    private var current: FrameHeader
    @usableFromInline let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: FrameHeader.byteCount, alignment: 64)
    /// The sum over what comes before the number.
    private let sum: HeaderSum

    /// Where the number is.
    private static let place = 16

    /// Begins with this header.
    package init(_ header: FrameHeader) {
        current = header
        header.encode(to: bytes)
        var sum = HeaderSum()
        sum.add(bytes, 0..<Self.place)
        self.sum = sum
        precondition(byteCount == FrameHeader.byteCount, "a header has another length than it is copied in")
    }

    deinit {
        bytes.deallocate()
    }

    /// The header with the number that was said last.
    package var header: FrameHeader { current }

    /// How many bytes it has.
    @inlinable public var byteCount: Int { 64 }

    /// Says the frame's number.
    package func number(_ sequence: UInt64) {
        guard sequence != current.sequence else { return }
        current.sequence = sequence
        bytes.storeBytes(of: sequence.littleEndian, toByteOffset: Self.place, as: UInt64.self)
        var sum = sum
        sum.add(bytes, Self.place..<56)
        bytes.storeBytes(of: sum.value(behind: bytes).littleEndian, toByteOffset: 60, as: UInt32.self)
    }

    /// Writes the header to 64 bytes.
    @inlinable
    public func copy(to place: UnsafeMutableRawPointer) {
        place.copyMemory(from: bytes, byteCount: byteCount)
    }

    /// Whether 64 bytes are the header. Each is looked at once.
    @inlinable
    public func isEqual(to other: UnsafeRawPointer) -> Bool {
        var difference: UInt64 = 0
        for offset in stride(from: 0, to: byteCount, by: 8) {
            difference |=
                other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                ^ bytes.load(fromByteOffset: offset, as: UInt64.self)
        }
        return difference == 0
    }
}
