import RingSystem

/// The environment of a rank: this process's own, byte for byte, with some variables set and some taken out.
struct ChildEnvironment {
    /// `NAME=value` by name.
    private var entries: [[UInt8]: [UInt8]] = [:]

    /// Variables that would lead the ranks to the store or the job that this process itself belongs to.
    private static let removed = [
        "RING_STORE", "RING_JOB_ID", "RING_JOB_SECRET_FILE", "TORCHELASTIC_USE_AGENT_STORE",
        "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT",
    ]

    /// This process's environment with `additions`.
    init(inheriting additions: [String: String]) {
        for entry in ProcessEnvironment.entries {
            if let sign = entry.firstIndex(of: UInt8(ascii: "=")) { entries[Array(entry[..<sign])] = entry }
        }
        for name in Self.removed { entries[Array(name.utf8)] = nil }
        self = adding(additions)
    }

    /// The same with these variables set.
    func adding(_ variables: [String: String]) -> ChildEnvironment {
        var result = self
        for (name, value) in variables { result.entries[Array(name.utf8)] = Array("\(name)=\(value)".utf8) }
        return result
    }

    /// The entries as `posix_spawn` takes them, for the duration of the call.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
    ) rethrows -> Result {
        try withCStrings(Array(entries.values), body)
    }
}

/// Lends texts as a list of C strings that ends with nil, for the duration of the call.
func withCStrings<Result>(
    _ texts: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
) rethrows -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { text in
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
        for (index, byte) in text.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[text.count] = 0
        return copy
    }
    pointers.append(nil)
    defer { for pointer in pointers { pointer?.deallocate() } }
    return try body(pointers)
}
