public import RingCore
import RingPlan

/// The name of an algorithm, a file of plans, or the library's own choice.
public struct Algorithm: Hashable, Sendable, CustomStringConvertible {
    /// The name, nil for the library's choice; `file:PATH` for plans from a file.
    public let name: String?

    /// The algorithm with this name: `ring`, `binomial-tree`; `tree` is the collective's fastest tree, `file:PATH`
    /// the plans in that file, see ``plans(file:)``. One that the collective does not have is refused when the
    /// operation is submitted.
    public init(name: String) {
        self.name = name == "auto" ? nil : name
    }

    private init() {
        name = nil
    }

    /// The library's choice, the same on all ranks.
    public static let automatic = Algorithm()

    /// The plans of all ranks from a text file, as `ringbench plan` writes it and anyone may change it.
    ///
    /// A communicator reads a file once, when an operation first asks for it, and proves that its plans compute the
    /// collective and cannot stall; until then nothing is sent. A plan is for one collective, world size, number of
    /// elements, root and form (in place or not); an operation that is another throws `.invalidArgument`. All ranks
    /// must have the same text: ranks whose texts differ throw `.mismatch`.
    public static func plans(file path: String) -> Algorithm { Algorithm(name: filePrefix + path) }

    /// The algorithms that a collective has, by name.
    public static func all(for collective: Collective) -> [Algorithm] {
        Planners.names(for: collective).map(Algorithm.init(name:))
    }

    private static let filePrefix = "file:"

    /// The file of plans, where it is one that is wanted.
    package var planFile: String? {
        name.flatMap { $0.hasPrefix(Self.filePrefix) ? String($0.dropFirst(Self.filePrefix.count)) : nil }
    }

    public var description: String { name ?? "auto" }
}
