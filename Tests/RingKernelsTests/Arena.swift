/// Memory with three places for buffers, which can start at any byte, and of which every byte can be compared.
final class Arena {
    private let memory: UnsafeMutableRawBufferPointer
    private let stride: Int

    /// An arena whose places each hold `capacity` bytes and room around them.
    init(capacity: Int) {
        stride = (capacity + 128) / 64 * 64
        memory = .allocate(byteCount: 3 * stride, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0xEE)
    }

    deinit {
        memory.deallocate()
    }

    /// Fills a place with `bytes`, starting `offset` bytes after an aligned address.
    func place(_ bytes: [UInt8], in place: Int, offset: Int) -> UnsafeMutableRawPointer {
        let start = memory.baseAddress! + place * stride + offset
        start.copyMemory(from: bytes, byteCount: bytes.count)
        return start
    }

    /// Every byte.
    var contents: [UInt8] { [UInt8](memory) }

    /// What the contents `before` become when only the bytes from `start` on are replaced.
    func replacing(
        _ start: UnsafeMutableRawPointer, with bytes: ArraySlice<UInt8>, in before: [UInt8]
    ) -> [UInt8] {
        var after = before
        let offset = start - memory.baseAddress!
        after.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        return after
    }
}
