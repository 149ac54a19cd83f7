namespace OllamaMax.Core.Tests.Models.Gguf;

internal static class DemoModel
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = System.IO.Path.Combine(folder.FullName, "models", "demo", "ollamamax-demo.gguf");
            if (File.Exists(path))
                return path;
        }
        throw new FileNotFoundException("models/demo/ollamamax-demo.gguf is in no folder above the tests.");
    }
}
