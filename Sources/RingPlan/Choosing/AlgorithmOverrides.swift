package import RingCore

/// The algorithms that the user wants, whatever the selector thinks: one for each collective, or none.
package struct AlgorithmOverrides: Sendable, Hashable {
    private var names: [Collective: String] = [:]

    /// No wishes.
    package init() {}

    /// Reads `ring`, for every collective that has it, or `all-reduce=ring,broadcast=binomial-tree`. `auto` takes
    /// a wish back.
    ///
    /// - Throws: `invalidConfiguration`, saying which word is wrong and what there is instead.
    package init(_ text: String) throws(CollectiveError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            switch sides.count {
            case 1: try set(sides[0])
            case 2: try set(sides[1], for: sides[0])
            default: throw Self.invalid("'\(part)' is not an algorithm or COLLECTIVE=ALGORITHM")
            }
        }
    }

    /// The algorithm that is wanted for a collective; nil leaves the choice to the selector.
    package subscript(collective: Collective) -> String? { names[collective] }

    private mutating func set(_ name: String) throws(CollectiveError) {
        guard name != "auto" else {
            names = [:]
            return
        }
        let collectives = Collective.allCases.filter {
            Planners.names(for: $0).contains(Planners.resolved(name, for: $0))
        }
        guard !collectives.isEmpty else {
            let known = Set(Planners.all.map { $0.name }).sorted().joined(separator: ", ")
            throw Self.invalid("no collective has an algorithm '\(name)': use one of auto, \(known)")
        }
        for collective in collectives { names[collective] = Planners.resolved(name, for: collective) }
    }

    private mutating func set(_ name: String, for collectiveName: String) throws(CollectiveError) {
        guard let collective = Collective(name: collectiveName) else {
            let known = Collective.allCases.map(\.name).joined(separator: ", ")
            throw Self.invalid("'\(collectiveName)' is not a collective: use one of \(known)")
        }
        let known = Planners.names(for: collective)
        let name = Planners.resolved(name, for: collective)
        guard name == "auto" || known.contains(name) else {
            let list = (["auto"] + known).joined(separator: ", ")
            throw Self.invalid(
                "'\(name)' is not an algorithm for \(collectiveName): use one of \(list)")
        }
        names[collective] = name == "auto" ? nil : name
    }

    private static func invalid(_ reason: String) -> CollectiveError {
        CollectiveError(.invalidConfiguration, reason)
    }
}
