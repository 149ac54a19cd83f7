namespace OllamaMax.Grammars.Patterns;

/// <summary>A regular expression that cannot be read, or that no automaton can be made of; the message goes on after "the pattern".</summary>
internal sealed class PatternException(string message) : Exception(message);
