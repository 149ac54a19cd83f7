namespace OllamaMax.Models;

/// <summary>A model's name as Ollama's: <c>host/namespace/name:tag</c>, with defaults for what is left out.</summary>
public sealed partial record ModelName(string Host, string Namespace, string Name, string Tag)
{
    public const string DefaultHost = "registry.ollama.ai";
    public const string DefaultNamespace = "library";
    public const string DefaultTag = "latest";
}
