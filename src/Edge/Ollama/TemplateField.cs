using System.Text.RegularExpressions;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// The field <c>template</c>: Jinja, as models bring it. Ollama's own are Go templates; these are told apart and refused, since nothing here runs them.
/// </summary>
internal static partial class TemplateField
{
    private const int Longest = 64 << 10;

    /// <summary>Null where the request has none.</summary>
    public static string? Read(JsonFields request)
    {
        if (request.Text("template") is not { Length: > 0 } template)
            return null;
        if (template.Length > Longest)
            request.Errors.Add("template", $"must be at most {Longest} characters");
        else if (GoAction.IsMatch(template))
            request.Errors.Add("template", "must be a Jinja template, with messages, tools and add_generation_prompt; Go templates are not supported by this server");
        return template;
    }

    /// <summary>A field, a variable or a keyword at an action's begin: none of them can begin an expression of Jinja.</summary>
    [GeneratedRegex(@"\{\{-?\s*(\.|\$|/\*|(if|else|end|range|with|template|define|block|break|continue)\b)", RegexOptions.CultureInvariant)]
    private static partial Regex GoAction { get; }
}
