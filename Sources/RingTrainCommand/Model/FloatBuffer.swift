/// A fixed number of float32s in memory of their own, aligned for vector instructions, zero at first.
///
/// The object owns the memory, so the pointers it hands out are valid as long as it lives. It belongs to one
/// thread, except that a collective in flight may work on the part it was given.
final class FloatBuffer {
    /// The whole buffer.
    let elements: UnsafeMutableBufferPointer<Float>

    /// Allocates `count` zeros.
    init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count) * MemoryLayout<Float>.stride, alignment: Self.alignment)
        let start = bytes.bindMemory(to: Float.self, capacity: max(1, count))
        start.initialize(repeating: 0, count: max(1, count))
        elements = UnsafeMutableBufferPointer(start: start, count: count)
    }

    deinit {
        start.deallocate()
    }

    /// How many elements the buffer has.
    var count: Int { elements.count }

    /// The first element's address.
    var start: UnsafeMutablePointer<Float> { elements.baseAddress! }

    /// A part of the buffer.
    subscript(range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: elements[range])
    }

    /// A cache line, and the width of the widest vectors.
    private static let alignment = 64
}
