import RingCore
import RingLaunch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What `--ranks N` does: starts N ranks of this same program on this machine and waits for them.
struct LaunchProgram {
    let ranks: Int
    /// The arguments of each rank.
    let arguments: [String]

    /// Runs the job to its end, blocking the calling thread, and returns its exit status.
    func run() -> Int32 {
        do {
            return try LocalLauncher.run(
                ranks: ranks, executable: Self.executable, arguments: arguments, outputStyle: .firstRankPlain,
                program: "ringbench")
        } catch {
            StandardStream.error.writeLine("ringbench: \(RankProgram.message(error))")
            return ExitStatus.failure
        }
    }

    /// The file that this process runs.
    private static var executable: String {
        let link = "/proc/self/exe"
        guard let path = realpath(link, nil) else { return link }
        defer { free(path) }
        return String(cString: path)
    }
}
