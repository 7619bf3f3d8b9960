#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A system call of the launcher that failed.
struct LaunchSystemError: Error, CustomStringConvertible {
    var call: String
    var number: Int32

    var description: String {
        let text = String(cString: strerror(number))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// Throws if a call returned -1.
    static func check(_ call: String, _ result: Int32) throws {
        if result < 0 { throw LaunchSystemError(call: call, number: errno) }
    }

    /// Throws if a call returned an error's number.
    static func check(_ call: String, number: Int32) throws {
        if number != 0 { throw LaunchSystemError(call: call, number: number) }
    }
}
