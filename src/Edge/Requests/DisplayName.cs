using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>A model's name as clients are shown it, in the manner of Ollama: defaults left out, the tag never.</summary>
internal static class DisplayName
{
    public static string Of(ModelName name)
    {
        string path = (name.Host, name.Namespace) switch
        {
            (ModelName.DefaultHost, ModelName.DefaultNamespace) => "",
            (ModelName.DefaultHost, _) => $"{name.Namespace}/",
            _ => $"{name.Host}/{name.Namespace}/",
        };
        return $"{path}{name.Name}:{name.Tag}";
    }
}
