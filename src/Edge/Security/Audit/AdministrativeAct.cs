namespace OllamaMax.Edge.Security.Audit;

/// <summary>Endpoint metadata: stands in the audit log though it is a GET, as what it gives out is worth knowing who took it.</summary>
internal sealed record AdministrativeAct;
