#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sleeping on the calling thread.
enum Pause {
    /// Sleeps at least this long.
    static func milliseconds(_ milliseconds: Int) {
        var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var unslept = timespec()
        while nanosleep(&left, &unslept) == -1 && errno == EINTR { left = unslept }
    }
}
