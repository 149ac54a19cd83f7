namespace OllamaMax.Inference.Packages;

/// <summary>The folder of the checkout: what npm installs stands there, and so do the demo model and Azurite.</summary>
public static class RepositoryRoot
{
    private const string Marker = "OllamaMax.Functions.sln";

    /// <summary>The nearest folder above the running program that holds the solution.</summary>
    /// <exception cref="PrerequisiteException">The program does not run from a checkout.</exception>
    public static string Find() => FindFrom(AppContext.BaseDirectory);

    internal static string FindFrom(string folder)
    {
        for (DirectoryInfo? at = new(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, Marker)))
                return at.FullName;
        }
        throw new PrerequisiteException($"No {Marker} above {folder}: run this from a checkout of the repository.");
    }
}
