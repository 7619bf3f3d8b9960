#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The environment variables of this process.
package enum ProcessEnvironment {
    /// `NAME=value`, byte for byte: neither need be UTF-8.
    package static var entries: [[UInt8]] {
        var entries: [[UInt8]] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(
                UnsafeBufferPointer(start: entry, count: strlen(entry)).map { UInt8(bitPattern: $0) })
            next += 1
        }
        return entries
    }

    /// The variables as text, by name.
    package static var variables: [String: String] {
        var variables: [String: String] = [:]
        for entry in entries {
            guard let sign = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            variables[String(decoding: entry[..<sign], as: UTF8.self)] = String(
                decoding: entry[(sign + 1)...], as: UTF8.self)
        }
        return variables
    }
}
