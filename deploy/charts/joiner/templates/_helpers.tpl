{{- define "joiner.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 63 letters, as names in DNS. */}}
{{- define "joiner.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "joiner.selectorLabels" -}}
app.kubernetes.io/name: {{ include "joiner.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Everything but the namespace that an object's metadata has. */}}
{{- define "joiner.metadata" -}}
labels:
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
  {{- include "joiner.selectorLabels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  {{- with .Values.additionalLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.additionalAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "joiner.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "joiner.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "joiner.image" -}}
{{- $image := .Values.controller.image }}
{{- if hasSuffix "karpenter/controller" $image.repository }}
{{- fail "controller.image is Karpenter's own image; leave it out of the values" }}
{{- end }}
{{- $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* "NodeRepair=true,NodeOverlay=false": keys of values begin in lower case, gates do not. */}}
{{- define "joiner.gates" -}}
{{- $gates := list }}
{{- range $name, $isOn := . }}
{{- if not (kindIs "invalid" $isOn) }}
{{- $gates = append $gates (printf "%s%s=%t" (upper (substr 0 1 $name)) (substr 1 -1 $name) $isOn) }}
{{- end }}
{{- end }}
{{- join "," $gates }}
{{- end }}

{{/* Terms of pod affinity and spread that select nothing select this chart's own pods. */}}
{{- define "joiner.ownPods" -}}
matchLabels:
  {{- include "joiner.selectorLabels" . | nindent 2 }}
{{- end }}
{{- define "joiner.affinity" -}}
{{- $own := include "joiner.ownPods" . | fromYaml }}
{{- $affinity := deepCopy .Values.affinity }}
{{- range $kind := list "podAffinity" "podAntiAffinity" }}
{{- range $term := dig $kind "requiredDuringSchedulingIgnoredDuringExecution" list $affinity }}
{{- if not (hasKey $term "labelSelector") }}{{ $_ := set $term "labelSelector" $own }}{{ end }}
{{- end }}
{{- range $weighted := dig $kind "preferredDuringSchedulingIgnoredDuringExecution" list $affinity }}
{{- if not (hasKey $weighted.podAffinityTerm "labelSelector") }}{{ $_ := set $weighted.podAffinityTerm "labelSelector" $own }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $affinity }}
{{- end }}
{{- define "joiner.spread" -}}
{{- $own := include "joiner.ownPods" . | fromYaml }}
{{- $out := list }}
{{- range $one := .Values.topologySpreadConstraints }}
{{- $one = deepCopy $one }}
{{- if not (hasKey $one "labelSelector") }}{{ $_ := set $one "labelSelector" $own }}{{ end }}
{{- $out = append $out $one }}
{{- end }}
{{- toYaml $out }}
{{- end }}
