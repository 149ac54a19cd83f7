namespace OllamaMax.Edge.Requests;

/// <summary>SEAM, replaced at the merge by <c>TemplateException</c>: the template refuses the conversation, in its own words.</summary>
internal sealed class PromptException(string message) : Exception(message);
