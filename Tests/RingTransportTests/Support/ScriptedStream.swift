import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A byte stream that does what a test says.
final class ScriptedStream: ByteStream {
    /// What a read comes to.
    enum Reading {
        case bytes([UInt8])
        case nothing
        case failure(StreamFailure)
    }

    /// How many bytes each write accepts; after the last one, all.
    var acceptances: [Int] = []
    /// What each read finds; bytes that a read has no room for stay for the next one. Afterwards, nothing.
    var readings: [Reading] = []
    var writeFailure: StreamFailure?
    private(set) var written: [UInt8] = []
    private(set) var reads = 0
    private(set) var closings = 0

    func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StreamFailure) -> Int
    {
        let bytes = Array(first) + Array(second)
        let count = min(bytes.count, acceptances.isEmpty ? bytes.count : acceptances.removeFirst())
        written += bytes[..<count]
        // A failure comes after what was accepted before.
        if count == 0, let writeFailure { throw writeFailure }
        return count
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int {
        reads += 1
        guard !buffer.isEmpty, let next = readings.first else { return 0 }
        switch next {
        case .nothing:
            readings.removeFirst()
            return 0
        case .failure(let failure):
            // As of a real connection, the end stays.
            throw failure
        case .bytes(let bytes):
            let count = min(bytes.count, buffer.count)
            buffer.copyBytes(from: bytes[..<count])
            readings.removeFirst()
            if count < bytes.count { readings.insert(.bytes(Array(bytes[count...])), at: 0) }
            return count
        }
    }

    /// The bytes that nobody has read.
    var unread: Int {
        readings.reduce(0) { count, reading in
            if case .bytes(let bytes) = reading { return count + bytes.count }
            return count
        }
    }

    func prepareToWait(for interest: LinkInterest) -> pollfd? { nil }

    func close() { closings += 1 }
}
