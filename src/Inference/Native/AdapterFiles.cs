using OllamaMax.Models.Gguf;

namespace OllamaMax.Inference.Native;

/// <summary>The adapters that lie behind a model's weights (<see cref="GgufAdapters"/>), as files of their own: llama.cpp takes them by their paths, and reads them at once.</summary>
internal static class AdapterFiles
{
    /// <param name="path">The model.</param>
    /// <param name="load">Given an adapter's path, which is gone after it.</param>
    /// <exception cref="ModelLoadException">One cannot be read, or is none of the model.</exception>
    public static T[] Load<T>(string path, Func<string, T> load)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            List<T> loaded = [];
            foreach ((long, long) part in GgufAdapters.Find(file))
                loaded.Add(Load(GgufAdapters.Part(file, part), load));
            return [.. loaded];
        }
        catch (Exception failure) when (failure is GgufFormatException or IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"its adapters cannot be used: {failure.Message}", failure);
        }
    }

    private static T Load<T>(Stream adapter, Func<string, T> load)
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream copy = File.OpenWrite(path))
                adapter.CopyTo(copy);
            return load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
