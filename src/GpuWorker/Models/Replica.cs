namespace OllamaMax.GpuWorker.Models;

/// <summary>A copy that somebody uses: until this is disposed nobody on the box deletes it, whichever worker of the box it is.</summary>
internal sealed class Replica(string path, FileStream hold) : IDisposable
{
    public string Path => path;

    public void Dispose() => hold.Dispose();
}
