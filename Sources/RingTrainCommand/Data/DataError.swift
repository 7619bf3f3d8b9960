/// Why a data set cannot be used: a file that is missing, damaged or not what its name says.
struct DataError: Error, Equatable, CustomStringConvertible {
    /// The file or folder at fault.
    var path: String
    /// What is wrong with it and, where there is one, what to do about it.
    var reason: String

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    var description: String { "\(path): \(reason)" }
}
