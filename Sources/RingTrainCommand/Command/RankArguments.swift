/// The arguments of the local ranks that `--ranks` starts.
enum RankArguments {
    /// `arguments` without the option `-n`, `--ranks` and its value, in each form that the command line takes.
    static func removingRanks(from arguments: [String]) -> [String] {
        var kept: [String] = []
        var remaining = arguments[...]
        while let argument = remaining.popFirst() {
            switch argument {
            case "-n", "--ranks": _ = remaining.popFirst()
            case _ where argument.hasPrefix("--ranks="): break
            // The value joined to the letter, `-n=4`.
            case _ where argument.hasPrefix("-n="): break
            default: kept.append(argument)
            }
        }
        return kept
    }
}
