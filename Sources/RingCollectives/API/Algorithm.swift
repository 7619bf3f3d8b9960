/// The name of an algorithm, or the library's own choice.
public struct Algorithm: Hashable, Sendable, CustomStringConvertible {
    /// The name, nil for the library's choice.
    public let name: String?

    /// The algorithm with this name: `ring`, `binomial-tree`. One that the collective does not have is refused when
    /// the operation is submitted.
    public init(name: String) {
        self.name = name == "auto" ? nil : name
    }

    private init() {
        name = nil
    }

    /// The library's choice, the same on all ranks.
    public static let automatic = Algorithm()

    public var description: String { name ?? "auto" }
}
