import Foundation

/// The programs that were built together with the tests.
enum BuiltProducts {
    /// The folder in which this test bundle and the programs lie.
    static var folder: URL {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: program).deletingLastPathComponent()
    }
}
