namespace OllamaMax.TestKit;

/// <summary>An empty folder of its own, deleted with all that is in it.</summary>
public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ollamamax-").FullName;

    /// <summary>Full path of something in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
