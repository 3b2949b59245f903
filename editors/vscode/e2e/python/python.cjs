// The part of the Python extension's interface that says which environment is chosen: the one in $CHOSEN_PYTHON.
exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ path: process.env.CHOSEN_PYTHON }),
    resolveEnvironment: async ({ path }) => ({ executable: { uri: { fsPath: path } } }),
  },
});
