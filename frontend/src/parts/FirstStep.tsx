import type { ReactNode } from 'react'
import { Empty } from '../states/States'
import { useMay } from './context'
import type { IconName } from './icons'

interface FirstStepProps {
  /** What the step takes. */
  permission: 'streams:write' | 'models:write'
  title: string
  icon: IconName
  children: ReactNode
}

/** The next step, for those who may take it; the others learn who does. */
export function FirstStep({ permission, title, icon, children }: FirstStepProps) {
  return useMay(permission) ? children : <Empty title={title} icon={icon}>Owners and engineers of this tenant take the first step. What comes of it appears here.</Empty>
}
