/// Where the buffers of a kernel are while it runs.
enum Place: String, CaseIterable {
    /// In the second-level cache.
    case cache = "L2"
    /// In memory: larger than any cache.
    case memory

    /// The bytes of the largest buffer.
    var byteCount: Int {
        switch self {
        case .cache: 128 << 10
        case .memory: 256 << 20
        }
    }

    /// How often a kernel runs over its buffers before the clock is read.
    var repetitions: Int {
        switch self {
        case .cache: 100
        case .memory: 1
        }
    }
}
