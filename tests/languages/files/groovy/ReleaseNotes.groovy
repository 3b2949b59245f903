package release

/** Writes the notes of a release. */
class ReleaseNotes {
    String repository

    /** Collects the titles of the pull requests merged since a tag. */
    List<String> titlesSince(String tag) {
        def output = "git log --merges --format=%b ${tag}..HEAD".execute([], new File(repository)).text
        return output.readLines().findAll { it.trim() }
    }

    static void main(String[] args) {
        println new ReleaseNotes(repository: args[0]).titlesSince(args[1]).join('\n')
    }
}

def heading(String version) {
    "## ${version}"
}
