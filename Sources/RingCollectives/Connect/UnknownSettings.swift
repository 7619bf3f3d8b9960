/// Variables that look like settings and are none, as a slip of the pen makes them.
struct UnknownSettings {
    /// The unknown names, each with the known one that it is most like.
    let names: [(unknown: String, nearest: String?)]

    /// Finds them among an environment's names: those that begin as the library's do.
    ///
    /// Those of the package's own build are passed over.
    init(in environment: some Sequence<String>, known: Set<String>) {
        let unknown = environment.filter {
            $0.hasPrefix("RING_") && !$0.hasPrefix("RING_BUILD_") && $0 != "RING_WARNINGS_AS_ERRORS"
                && !known.contains($0)
        }
        names = unknown.sorted().map { name in
            // A tie goes to the first by name, so that every run says the same.
            (name, known.sorted().min { Self.distance(name, $0) < Self.distance(name, $1) })
        }
    }

    /// One line about all of them; nil if there are none.
    var warning: String? {
        guard !names.isEmpty else { return nil }
        let texts = names.map { name, nearest in
            nearest.map { "\(name) (did you mean \($0)?)" } ?? name
        }
        let verb = names.count == 1 ? "is not a setting and has" : "are not settings and have"
        return "\(texts.joined(separator: ", ")) \(verb) no effect"
    }

    /// The fewest letters to insert, delete or replace to turn one text into the other.
    ///
    /// By rows of the usual table: Wagner and Fischer, "The String-to-String Correction Problem", JACM 1974.
    private static func distance(_ first: String, _ second: String) -> Int {
        let second = Array(second.utf8)
        var row = Array(0...second.count)
        for (above, letter) in zip(1..., first.utf8) {
            var diagonal = row[0]
            row[0] = above
            for column in second.indices {
                let replaced = diagonal + (second[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[second.count]
    }
}
